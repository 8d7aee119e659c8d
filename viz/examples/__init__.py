"""The example picture and clip, drawn by the program itself."""
