"""Kernels that start warm: forked from a helper process that has imported what they need.

`helper` and `child` run in the kernel's own Python, whichever that is, and know nothing of this package. `helpers`,
`process` and `provisioner` run in the process that wants kernels.
"""
