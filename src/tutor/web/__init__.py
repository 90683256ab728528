"""The page and the JSON API: server-rendered HTML that works without scripts, and streams with them."""
