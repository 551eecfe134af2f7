"""Tests of Switchroom; how they are cut is told in the README."""
