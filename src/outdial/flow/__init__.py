"""What happens on an answered call: a graph of steps that runs to a wait, and resumes with what the world
said.

Pure: a flow, a state and an event go in, the next state and actions come out. Playing and hanging up are done
by ``dispatch.conversation``, the only place where a flow meets a leg.
"""
