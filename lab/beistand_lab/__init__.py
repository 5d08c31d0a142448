"""Two telephone systems, phones, a mail host and a switch in network namespaces."""
