"""Files as people have them, written by the generators of this folder, and what the commands make of them."""
