"""Files as people have them: what is messy, what a user expects, and how another library reads it."""
