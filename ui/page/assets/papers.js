// The collection: filled in when the tab is first opened.
