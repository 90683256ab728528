"""Measuring the product: golden sets, metrics, the gate and its reports."""
