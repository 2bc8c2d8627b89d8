"""Reading: which sentences bear on the question, and does the collection answer it?"""
