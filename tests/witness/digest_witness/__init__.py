"""A second opinion on HTTP Digest headers, written from the RFCs and the project's decisions alone."""
