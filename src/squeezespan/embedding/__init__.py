"""Features of every image of a data set, in a file for other people's tools."""
