"""Where rows come from: files, databases, generators, downloads; engines and the cache."""
