#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A thread that does one thing again and again: after a pause, or when it is woken.
///
/// A plain thread, because its work blocks on the disk, and neither an event loop nor the concurrency pool may.
final class WorkerThread: Sendable {
    private final class Context: Sendable {
        let pauseMilliseconds: Int32
        let wakeEnd: Int32
        let work: @Sendable () -> Void

        init(pauseMilliseconds: Int32, wakeEnd: Int32, work: @escaping @Sendable () -> Void) {
            self.pauseMilliseconds = pauseMilliseconds
            self.wakeEnd = wakeEnd
            self.work = work
        }

        func run() {
            var buffer: (UInt64, UInt64) = (0, 0)
            while true {
                var descriptor = pollfd(fd: self.wakeEnd, events: Int16(POLLIN), revents: 0)
                let ready = poll(&descriptor, 1, self.pauseMilliseconds)
                if ready > 0 {
                    let count = withUnsafeMutableBytes(of: &buffer) { read(self.wakeEnd, $0.baseAddress, $0.count) }
                    // The other end is closed: the work is over.
                    if count == 0 { return }
                }
                self.work()
            }
        }
    }

    private let thread: pthread_t
    private let readEnd: Int32
    private let writeEnd: Int32

    /// Starts the thread; nil where the system has no thread or no descriptor left.
    ///
    /// - Parameter pauseMilliseconds: the longest time between two pieces of work; -1 for no limit.
    init?(pauseMilliseconds: Int32, work: @escaping @Sendable () -> Void) {
        var ends: (read: Int32, write: Int32) = (-1, -1)
        let isMade = withUnsafeMutableBytes(of: &ends) { bytes in
            bytes.withMemoryRebound(to: Int32.self) { pipe($0.baseAddress) == 0 }
        }
        guard isMade else { return nil }
        for end in [ends.read, ends.write] {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        let context = Context(pauseMilliseconds: pauseMilliseconds, wakeEnd: ends.read, work: work)
        let opaque = Unmanaged.passRetained(context)
        var thread = pthread_t()
        let result = pthread_create(
            &thread,
            nil,
            { opaque in
                guard let opaque else { return nil }
                Unmanaged<Context>.fromOpaque(opaque).takeRetainedValue().run()
                return nil
            },
            opaque.toOpaque()
        )
        guard result == 0 else {
            opaque.release()
            close(ends.read)
            close(ends.write)
            return nil
        }
        self.thread = thread
        self.readEnd = ends.read
        self.writeEnd = ends.write
    }

    /// Has the work done soon.
    func wake() {
        var byte: UInt8 = 1
        // A full pipe has woken the thread already.
        _ = write(self.writeEnd, &byte, 1)
    }

    /// Ends the thread after the piece of work that it is at, and returns then. To be called once, and from another thread.
    func stop() {
        close(self.writeEnd)
        pthread_join(self.thread, nil)
        close(self.readEnd)
    }
}
