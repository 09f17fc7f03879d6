"""A web service that scores customers by a saved model. ``python -m rfm_service`` starts it."""
