"""The rules of the catalogue, one a file: specification, equation, source, conventions."""
