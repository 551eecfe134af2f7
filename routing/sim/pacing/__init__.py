"""Pacing in simulation: campaign shifts on a virtual clock, and how policies that dial fare in them (DIALER-12).

`shift` plays one shift, `scenes` has the traffic, `baselines` and `clairvoyant` the policies to compare with, `trial`
runs many shifts, `adviser` says which mode of dialing fits. A policy is told what `Scene.told`, the snapshots and the
events say, and nothing else.
"""
