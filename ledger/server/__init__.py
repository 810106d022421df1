"""The roof: reads the settings, builds each room, starts and stops the processes.

    supervisor   starts the others, and sees that they live; touches no log
    writer       the one process that writes: the log, its publisher, its metrics
    front end    as many as are set: parses, checks, hashes, reads; holds no key

Between a front end and the writer is a pair of sockets that no name leads to.
"""
