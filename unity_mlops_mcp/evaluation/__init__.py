"""Trained policies: what an ONNX file is, how it plays, and how it gets into a Unity project."""
