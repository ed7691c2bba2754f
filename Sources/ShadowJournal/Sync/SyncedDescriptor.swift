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
    let path: String
    private let isFolder: Bool
    private let dirty = Atomic<Bool>(false)
    /// Held while the disk works: who finds nothing dirty waits here until what was dirty before has arrived.
    private let syncing = Mutex(())

    package init(taking descriptor: Int32, path: String, isFolder: Bool) {
        self.descriptor = descriptor
        self.path = path
        self.isFolder = isFolder
    }

    deinit { close(self.descriptor) }

    /// To be called after the bytes were written.
    @inline(__always)
    package func markDirty() { self.dirty.store(true, ordering: .releasing) }

    package var isDirty: Bool { self.dirty.load(ordering: .acquiring) }

    /// Returns when everything before the last ``markDirty()`` is on the disk: 0, or the errno.
    package func sync() -> Int32 {
        self.syncing.withLock { _ in
            guard self.dirty.exchange(false, ordering: .acquiringAndReleasing) else { return 0 }
            while true {
                let result = self.isFolder ? fsync(self.descriptor) : fdatasync(self.descriptor)
                if result == 0 { return 0 }
                let number = errno
                if number == EINTR { continue }
                // The kernel may have let go of the pages. What it still has is asked for again the next time.
                self.dirty.store(true, ordering: .releasing)
                return number
            }
        }
    }
}
