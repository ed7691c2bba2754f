#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A segment's file and its mapping. Both go with the last reference, wherever that is.
final class SegmentFile: Sendable {
    /// What the lengths of new files are a multiple of, in bytes.
    static var pageBytes: Int { 4 << 10 }

    /// The mapping. Immutable itself; the bytes behind it belong to the log's owner.
    nonisolated(unsafe) let base: UnsafeMutableRawPointer
    let length: Int
    let synced: SyncedDescriptor
    /// Whether changes of state stay in memory, because the disk had no room for the file's holes.
    let isPrivate: Bool

    private init(base: UnsafeMutableRawPointer, length: Int, descriptor: Int32, path: String, isPrivate: Bool) {
        self.base = base
        self.length = length
        self.synced = SyncedDescriptor(taking: descriptor, path: path, isFolder: false)
        self.isPrivate = isPrivate
    }

    deinit { munmap(self.base, self.length) }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: self.base, count: self.length) }

    /// Makes a file with all of its blocks. On failure there is no file, and the errno tells why.
    static func create(
        _ path: String,
        length: Int,
        reserve: (Int32, Int) -> Int32
    ) -> (file: SegmentFile?, errno: Int32) {
        let (descriptor, number) = SystemCalls.open(path, O_RDWR | O_CREAT | O_EXCL)
        guard descriptor >= 0 else { return (nil, number) }
        let reserved = reserve(descriptor, length)
        guard reserved == 0 else {
            close(descriptor)
            unlink(path)
            return (nil, reserved)
        }
        let (base, mapped) = Self.map(descriptor, length, MAP_SHARED)
        guard let base else {
            close(descriptor)
            unlink(path)
            return (nil, mapped)
        }
        return (Self(base: base, length: length, descriptor: descriptor, path: path, isPrivate: false), 0)
    }

    /// Opens a file that exists. A file without bytes answers ENODATA.
    static func open(_ path: String, reserve: (Int32, Int) -> Int32) -> (file: SegmentFile?, errno: Int32) {
        let (descriptor, number) = SystemCalls.open(path, O_RDWR)
        guard descriptor >= 0 else { return (nil, number) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, SystemCalls.isFile(status), status.st_size > 0 else {
            close(descriptor)
            return (nil, ENODATA)
        }
        let length = Int(status.st_size)
        // A copy of a folder may have holes where the original had zeros.
        let isPrivate = reserve(descriptor, length) != 0
        let (base, mapped) = Self.map(descriptor, length, isPrivate ? MAP_PRIVATE : MAP_SHARED)
        guard let base else {
            close(descriptor)
            return (nil, mapped)
        }
        return (Self(base: base, length: length, descriptor: descriptor, path: path, isPrivate: isPrivate), 0)
    }

    private static func map(_ descriptor: Int32, _ length: Int, _ sharing: Int32) -> (
        base: UnsafeMutableRawPointer?, errno: Int32
    ) {
        let base = mmap(nil, length, PROT_READ | PROT_WRITE, sharing, descriptor, 0)
        guard let base, base != MAP_FAILED else { return (nil, errno) }
        return (base, 0)
    }

    /// Writes bytes at their place without the mapping, which shows them; false where the system does not take all of them.
    @inline(never)
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Bool {
        var rest = bytes
        while !rest.isEmpty {
            let place = off_t(offset + bytes.count - rest.count)
            let count = pwrite(self.synced.descriptor, rest.baseAddress, rest.count, place)
            if count > 0 {
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            } else if count == 0 || errno != EINTR {
                return false
            }
        }
        return true
    }

    /// Takes the file's name away.
    func unlink() { Self.unlink(self.synced.path) }

    private static func unlink(_ path: String) {
        #if canImport(Glibc)
        _ = Glibc.unlink(path)
        #else
        _ = Musl.unlink(path)
        #endif
    }
}
