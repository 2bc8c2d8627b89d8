"""One module per change, named after its number. A change that was released is never edited."""
