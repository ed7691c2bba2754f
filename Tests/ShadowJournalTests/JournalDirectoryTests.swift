import ShadowJournal
import SystemPackage
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

struct JournalDirectoryTests {
    let scratch = Scratch()

    private func error(_ path: String) -> JournalError? {
        do throws(JournalError) {
            _ = try JournalDirectory(FilePath(path), sync: .never)
            return nil
        } catch {
            return error
        }
    }

    @Test func `a second owner is refused and told who the first one is`() throws {
        let directory = try JournalDirectory(at: self.scratch.journal)
        let error = try #require(self.error(self.scratch.journal))
        #expect(error.code == .inUse && error.description.contains("process \(getpid())"))
        #expect(try directory.close())
        #expect(self.error(self.scratch.journal) == nil)
    }

    @Test func `the folder is free when the owner and its logs are gone`() throws {
        var directory: JournalDirectory? = try JournalDirectory(at: self.scratch.journal)
        var log = try directory?.openLog(named: "target-0")
        directory = nil
        #expect(self.error(self.scratch.journal)?.code == .inUse, "a log keeps it")
        #expect(log != nil)
        log = nil
        #expect(self.error(self.scratch.journal) == nil)
    }

    @Test func `an owner learns how the one before it ended`() throws {
        let path = self.scratch.journal
        var directory: JournalDirectory? = try JournalDirectory(at: path)
        #expect(directory?.previousEnd == PreviousEnd.none)
        try directory?.openLog(named: "a").close()
        #expect(try directory?.close() == true)
        directory = try JournalDirectory(at: path)
        #expect(directory?.previousEnd == .clean)
        directory = nil
        directory = try JournalDirectory(at: path)
        #expect(directory?.previousEnd == .killed)
        directory = nil
        for content in ["cluster-sync journal 1\nboot other\nend open\n", "\0\0\0\0", "", "cluster-sync journal 1\n"] {
            Scratch.write(Array(content.utf8), to: path + "/JOURNAL")
            directory = try JournalDirectory(at: path)
            #expect(directory?.previousEnd == .machineStopped, "\(content.debugDescription)")
            directory = nil
        }
        unlink(path + "/JOURNAL")
        directory = try JournalDirectory(at: path)
        #expect(directory?.previousEnd == .machineStopped)
        directory = nil
        Scratch.write(Array("cluster-sync journal 1\nboot other\nend clean\n".utf8), to: path + "/JOURNAL")
        #expect(try JournalDirectory(at: path).previousEnd == .clean)
    }

    @Test func `a stop of the machine is remembered until every log was recovered and closed`() throws {
        let path = self.scratch.journal
        do {
            let directory = try JournalDirectory(at: path)
            for name in ["a", "b"] { try directory.openLog(named: name).close() }
        }
        Scratch.write(Array("cluster-sync journal 1\nboot other\nend open\n".utf8), to: path + "/JOURNAL")
        for logs in [["a"], ["b", "a"], []] {
            let directory = try JournalDirectory(at: path)
            #expect(directory.previousEnd == (logs.isEmpty ? .clean : .machineStopped), "\(logs)")
            for name in logs { try directory.openLog(named: name).close() }
            #expect(try directory.close())
        }
    }

    @Test func `a log that was dropped instead of closed leaves no mark of a clean end`() throws {
        let directory = try JournalDirectory(at: self.scratch.journal)
        do { _ = try directory.openLog(named: "a") }
        #expect(try !directory.close())
        #expect(try JournalDirectory(at: self.scratch.journal).previousEnd == .killed)
    }

    @Test func `a journal with an open log is not closed`() throws {
        let directory = try JournalDirectory(at: self.scratch.journal)
        let log = try directory.openLog(named: "a")
        #expect(try !directory.close())
        #expect(self.error(self.scratch.journal)?.code == .inUse)
        log.close()
        #expect(try directory.close())
        #expect(throws: JournalError.self) { _ = try directory.openLog(named: "a") }
    }

    @Test func `logs have names and each is open once`() throws {
        let directory = try JournalDirectory(at: self.scratch.journal)
        let logs = try ["target-1", "dirty", "dead-letters"].map { try directory.openLog(named: $0) }
        #expect(try directory.logNames == ["dead-letters", "dirty", "target-1"])
        for name in ["", "..", "a/b", "A", "ä", "a.b", String(repeating: "a", count: 65)] {
            #expect(throws: JournalError.self, "\(name)") { _ = try directory.openLog(named: name) }
        }
        #expect(throws: JournalError.self) { _ = try directory.openLog(named: "dirty") }
        logs[1].close()
        _ = try directory.openLog(named: "dirty")
    }

    @Test func `a configuration outside its limits is refused`() throws {
        let directory = try JournalDirectory(at: self.scratch.journal)
        for configuration in [
            JournalConfiguration(segmentBytes: 100), JournalConfiguration(segmentBytes: 2 << 30, bytesMax: 4 << 30),
            JournalConfiguration(segmentBytes: 1 << 20, bytesMax: 1 << 19),
        ] {
            #expect(throws: JournalError.self) { _ = try directory.openLog(named: "a", configuration: configuration) }
        }
        _ = try directory.openLog(named: "a")
    }

    @Test func `a folder that is no journal's is refused in words`() throws {
        let path = self.scratch.path
        #expect(self.error(path + "/a/b")?.code == .missing)
        Scratch.write([1], to: path + "/file")
        #expect(self.error(path + "/file")?.code == .notAFolder)
        let foreign = try #require(self.error(path))
        #expect(foreign.code == .foreign && foreign.description.contains("file"))
        mkdir(path + "/real", 0o700)
        symlink(path + "/real", path + "/link")
        #expect(self.error(path + "/link")?.code == .symbolicLink)
        mkdir(path + "/real/lost+found", 0o700)
        #expect(self.error(path + "/real") == nil, "a fresh volume is fine")
        Scratch.write(Array("[general]\n".utf8), to: path + "/real/JOURNAL")
        #expect(self.error(path + "/real")?.code == .foreign)
        Scratch.write(Array("cluster-sync journal 2\n".utf8), to: path + "/real/JOURNAL")
        #expect(self.error(path + "/real")?.code == .version)
        mkdir(path + "/third", 0o700)
        symlink("/etc/hostname", path + "/third/LOCK")
        #expect(self.error(path + "/third")?.code == .symbolicLink)
    }

    @Test func `a log's folder that is a link or a file is refused`() throws {
        let directory = try JournalDirectory(at: self.scratch.journal)
        symlink("/tmp", self.scratch.journal + "/a")
        Scratch.write([1], to: self.scratch.journal + "/b")
        #expect(throws: JournalError.self) { _ = try directory.openLog(named: "a") }
        #expect(throws: JournalError.self) { _ = try directory.openLog(named: "b") }
        #expect(try directory.logNames == [])
    }

    @Test func `a folder that may not be written is refused`() throws {
        try #require(geteuid() != 0 || chmod(self.scratch.path, 0o700) == 0)
        guard geteuid() != 0 else {
            // The super-user may write everywhere but in the kernel's own folders.
            let code = self.error("/proc/self/journal")?.code
            #expect(code == .missing || code == .denied)
            return
        }
        mkdir(self.scratch.journal, 0o500)
        #expect(self.error(self.scratch.journal)?.code == .denied)
    }
}
