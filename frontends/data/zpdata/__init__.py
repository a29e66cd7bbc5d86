"""zpdata: text to tokens. Chat, prompt/completion and text rows become the token files that zprun trains on."""

__version__ = "0.1.0"
