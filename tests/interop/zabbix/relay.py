"""A relay between two peers, which copies octets and can break a connection in the middle of a message."""

import contextlib
import socket
import struct
import threading

REQUEST, ANSWER = "request", "answer"  # from who connected, and to it


class Break:
    """Breaks a connection once it carried so many octets in one direction."""

    def __init__(self, direction, octets, reset=False):
        self.direction = direction
        self.octets = octets
        self.reset = reset
        self.done = threading.Event()

    def __repr__(self):
        return f"{'reset' if self.reset else 'end'} after {self.octets} octets of the {self.direction}"


class Hold(Break):
    """Lets no more octets through, and ends the connection when it is told to."""

    def __init__(self, direction, octets):
        super().__init__(direction, octets)
        self.release = threading.Event()


class Relay:
    """What is in breaks happens to one connection each, if it carries enough; the others are left alone."""

    def __init__(self, world, target):
        self.target = target
        self.lock = threading.Lock()
        self.breaks = []
        self.closed = False
        self.listener = socket.create_server(("127.0.0.1", world.port()))
        self.port = self.listener.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        world.exits.callback(self.close)
        threading.Thread(target=self.serve, daemon=True).start()

    def close(self):
        self.closed = True
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def add(self, order):
        with self.lock:
            self.breaks.append(order)
        return order

    def serve(self):
        while not self.closed:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.carry, args=(connection,), daemon=True).start()

    def carry(self, near):
        host, _, port = self.target.rpartition(":")
        try:
            far = socket.create_connection((host, int(port)), 10)
        except OSError:
            near.close()
            return
        far.settimeout(None)
        with self.lock:
            order = self.breaks[0] if self.breaks else None
        pair = Pair(self, near, far, order)
        for name, source, sink in ((REQUEST, near, far), (ANSWER, far, near)):
            threading.Thread(target=pair.copy, args=(name, source, sink), daemon=True).start()

    def take(self, order):
        """Whether the order was still to be carried out; then it is no longer."""
        with self.lock:
            if order not in self.breaks:
                return False
            self.breaks.remove(order)
            return True


class Pair:
    """The two ends of a connection."""

    def __init__(self, relay, near, far, order):
        self.relay = relay
        self.ends = near, far
        self.order = order
        self.open = 2
        self.lock = threading.Lock()

    def copy(self, name, source, sink):
        order = self.order if self.order and self.order.direction == name else None
        try:
            if self.carry(source, sink, order):
                order.done.set()
                if isinstance(order, Hold):
                    order.release.wait(60)
                self.close(order.reset)
                return
            sink.shutdown(socket.SHUT_WR)
        except OSError:  # what one end meets, the other end is to meet, too
            self.close(True)
        with self.lock:
            self.open -= 1
            if self.open == 0:
                self.close(False)

    def carry(self, source, sink, order):
        """Copies until the stream ends, or until the order is to be carried out: then it is true."""
        carried = 0
        while octets := source.recv(65536):
            if order and carried + len(octets) > order.octets and self.relay.take(order):
                sink.sendall(octets[:order.octets - carried])
                return True
            sink.sendall(octets)
            carried += len(octets)
        return False

    def close(self, reset):
        for end in self.ends:
            with contextlib.suppress(OSError):
                # Shutting it down wakes the other thread: as long as that reads, nothing is closed.
                if reset:
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    end.shutdown(socket.SHUT_RD)
                else:
                    end.shutdown(socket.SHUT_RDWR)
            end.close()
