"""Floor 1: the program document, from the merchant's text to a checked and compiled program.

A program says what the merchant promises. This floor reads it, refuses what cannot be kept, and knows
nothing about members, history or storage.
"""
