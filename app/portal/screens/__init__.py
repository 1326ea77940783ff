"""One module a screen: its lists, asked in one statement with what frames the page, made into its view."""
