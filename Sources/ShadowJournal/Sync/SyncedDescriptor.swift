import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A file or folder that must reach the disk now and then. Owns its descriptor, so that it can be synced while its owner lets
/// go of it.
///
/// Any thread may call any method; ``markDirty()`` takes no lock.
package final class SyncedDescriptor: Sendable {
    package let descriptor: Int32
    private let isFolder: Bool
    private let name: Mutex<String>
    private let dirty = Atomic<Bool>(false)
    private let arrived = Atomic<Bool>(false)
    /// Held while the disk works: who finds nothing dirty waits here until what was dirty before has arrived.
    private let syncing = Mutex(())

    package init(taking descriptor: Int32, path: String, isFolder: Bool) {
        self.descriptor = descriptor
        self.name = Mutex(path)
        self.isFolder = isFolder
    }

    deinit { close(self.descriptor) }

    var path: String { self.name.withLock { $0 } }

    /// Gives the file another name. Returns 0, or the errno.
    func rename(to path: String) -> Int32 {
        self.name.withLock {
            #if canImport(Glibc)
            let result = Glibc.rename($0, path)
            #else
            let result = Musl.rename($0, path)
            #endif
            guard result == 0 else { return errno }
            $0 = path
            return 0
        }
    }

    /// To be called after the bytes were written.
    @inline(__always)
    package func markDirty() { self.dirty.store(true, ordering: .releasing) }

    package var isDirty: Bool { self.dirty.load(ordering: .acquiring) }

    /// Whether the disk has had it since it was opened, as it was at some moment.
    var hasArrived: Bool { self.arrived.load(ordering: .relaxed) }

    /// Returns when everything before the last ``markDirty()`` is on the disk: 0, or the errno.
    package func sync() -> Int32 {
        self.syncing.withLock { _ in
            guard self.dirty.exchange(false, ordering: .acquiringAndReleasing) else { return 0 }
            while true {
                let result = self.isFolder ? fsync(self.descriptor) : fdatasync(self.descriptor)
                if result == 0 {
                    self.arrived.store(true, ordering: .relaxed)
                    return 0
                }
                let number = errno
                if number == EINTR { continue }
                // The kernel may have let go of the pages. What it still has is asked for again the next time.
                self.dirty.store(true, ordering: .releasing)
                return number
            }
        }
    }
}
