"""Language models behind one port; nothing here is needed for an extractive answer."""
