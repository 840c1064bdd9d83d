"""How a reconciler tells the pump when to look again."""

from typing import Literal

#: moved: look again at once; running: instances have something to tell soon; waiting: nothing to do until something
#: else moves; queued: waiting for room, and only that or a wish to end it can move it; ending: it is over, and put away
#: as soon as its agents are gone; done: nothing to do any more.
Progress = Literal["moved", "running", "waiting", "queued", "ending", "done"]
