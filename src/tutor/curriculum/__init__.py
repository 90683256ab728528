"""The domain: what a card, a document and a section are. Imports nothing of ours but errors."""
