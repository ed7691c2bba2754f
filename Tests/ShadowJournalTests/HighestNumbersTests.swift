import ShadowJournal
import SystemPackage
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

struct HighestNumbersTests {
    @Test func `the highest number of all writers outlives a journal that is not closed`() throws {
        let scratch = Scratch()
        do {
            let directory = try JournalDirectory(FilePath(scratch.journal))
            let numbers = try directory.highestNumbers()
            #expect(numbers.highestAtStart == 0)
            numbers.note(17, slot: 0)
            numbers.note(42, slot: HighestNumbers.slots - 1)
            numbers.note(18, slot: 0)
        }
        let directory = try JournalDirectory(FilePath(scratch.journal))
        #expect(directory.previousEnd == .killed)
        #expect(try directory.highestNumbers().highestAtStart == 42)
    }

    @Test func `a file that was cut gets its length again`() throws {
        let scratch = Scratch()
        do { try JournalDirectory(FilePath(scratch.journal)).highestNumbers().note(5, slot: 0) }
        #expect(truncate("\(scratch.journal)/HIGHEST", 9) == 0)
        let numbers = try JournalDirectory(FilePath(scratch.journal)).highestNumbers()
        #expect(numbers.highestAtStart == 5)
        numbers.note(1 << 40, slot: HighestNumbers.slots - 1)
    }
}
