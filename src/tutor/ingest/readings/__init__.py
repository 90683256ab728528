"""The curriculum's linked readings: which there are, what may be fetched, and how they become passages.

``sources`` lists them; ``sync`` fetches what is due through ``guard`` (which addresses may be asked), ``robots``,
``pace`` and ``fetch`` over the connections of ``transport``; ``content`` unpacks and names what came, ``extract`` takes
its text, ``dedup`` finds what is known already, and ``shelf`` keeps text and state in the learner's home.
"""
