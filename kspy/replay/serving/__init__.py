"""Play the kernel: answer clients as a recording did.

Theory of operation: the `Book` finds the recorded request that is equal to the one that came. Its
`Script` is what the recorded kernel said to it, with the pauses, and the gates at which the kernel
waited for the client. A `Performance` goes through the script; the `Stage` holds the queues of
requests and the performances that go on, and the `Speaker` makes each recorded message one that
answers the new request. None of these does I/O or reads a clock: frames and the time come in, and
frames go out. `sockets` and `server` do the rest.
"""
