"""The Model Context Protocol: tools, cards and prompts for editors and assistants, over stdio or HTTP."""
