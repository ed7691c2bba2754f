import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A disk that has room or has none.
final class SimulatedDisk: Sendable {
    private let isFull = Mutex(false)

    func set(isFull: Bool) { self.isFull.withLock { $0 = isFull } }

    /// Answers as `posix_fallocate` does.
    func reserve(_ file: Int32, _ length: Int) -> Int32 {
        self.isFull.withLock { $0 } ? ENOSPC : posix_fallocate(file, 0, off_t(length))
    }
}
