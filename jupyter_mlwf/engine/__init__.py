"""Makes runs happen: starts them, carries out their plan, and takes over what a dead worker left."""
