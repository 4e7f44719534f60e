"""Checks C# without Unity: rules of ML-Agents on its syntax, static observation sizes, and a guard for foreign code."""
