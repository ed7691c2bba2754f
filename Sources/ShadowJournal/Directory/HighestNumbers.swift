import SystemPackage

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// The highest number that each of several writers has come to, kept over the death of the process.
///
/// A memory-mapped file of 64-bit numbers: noting one is a store, without a system call. Each slot has one writer, on one thread.
/// After a stop of the machine the numbers may be older than they were.
public final class HighestNumbers: @unchecked Sendable {
    // Sendable: the mapping never changes, and no two threads write to one slot.

    /// Writers that one file has room for.
    public static var slots: Int { 512 }
    /// The name of the file in the journal's folder.
    static var name: String { "HIGHEST" }

    private let numbers: UnsafeMutablePointer<Int64>
    /// The highest number of any slot when the file was opened; 0 in a new one.
    public let highestAtStart: Int64

    init(in folder: String) throws(JournalError) {
        let path = "\(folder)/\(Self.name)"
        let length = Self.slots * MemoryLayout<Int64>.size
        let (descriptor, number) = SystemCalls.open(path, O_RDWR | O_CREAT)
        guard descriptor >= 0 else { throw .failed("open", path, number) }
        defer { close(descriptor) }
        let reserved = SystemCalls.reserveBlocks(descriptor, length)
        guard reserved == 0 else { throw .failed("posix_fallocate", path, reserved) }
        guard let base = mmap(nil, length, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0), base != MAP_FAILED else {
            throw .failed("mmap", path, errno)
        }
        self.numbers = base.bindMemory(to: Int64.self, capacity: Self.slots)
        self.highestAtStart = (0..<Self.slots).reduce(0) { [numbers] in max($0, numbers[$1]) }
    }

    deinit { munmap(self.numbers, Self.slots * MemoryLayout<Int64>.size) }

    /// Notes the number that the writer of a slot (below ``slots``) has come to.
    @inline(__always)
    public func note(_ number: Int64, slot: Int) { self.numbers[slot] = number }
}

extension JournalDirectory {
    /// The numbers that are kept beside the logs.
    public func highestNumbers() throws(JournalError) -> HighestNumbers { try HighestNumbers(in: self.path.string) }
}
