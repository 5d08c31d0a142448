"""Forms by page: what a browser may send, and what it may not."""
