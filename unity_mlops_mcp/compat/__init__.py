"""The Python API of the customer: a thin layer over `unity_mlops_mcp.app`, importable as ``mlops_unity_pipeline``."""
