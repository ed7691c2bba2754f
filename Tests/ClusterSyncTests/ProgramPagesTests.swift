import Testing

@testable import ClusterSync

/// The form of `/proc/self/smaps` is that of proc(5).
struct ProgramPagesTests {
    private static func mapping(_ first: String, anonymous: Int) -> String {
        """
        \(first)
        Size:                  4 kB
        Rss:                   4 kB
        Private_Dirty:         0 kB
        Anonymous:             \(anonymous) kB
        VmFlags: rd ex mr mw me

        """
    }

    @Test func `what the file says is given back and nothing else`() {
        let map = [
            Self.mapping("00400000-00408000 r--p 00000000 fe:00 1047 /usr/bin/cluster-sync", anonymous: 0),
            Self.mapping("00408000-00500000 r-xp 00008000 fe:00 1047 /usr/bin/cluster-sync", anonymous: 0),
            // The loader has put addresses into it.
            Self.mapping("00500000-00580000 r--p 00100000 fe:00 1047 /usr/bin/cluster-sync", anonymous: 512),
            Self.mapping("00580000-00590000 rw-p 00180000 fe:00 1047 /usr/bin/cluster-sync", anonymous: 0),
            Self.mapping(
                "7f0000000000-7f0000010000 rw-s 00000000 fe:00 99 /var/lib/cluster-sync/1.segment",
                anonymous: 0
            ),
            Self.mapping(
                "7f0000020000-7f0000030000 r--s 00000000 fe:00 99 /var/lib/cluster-sync/2.segment",
                anonymous: 0
            ),
            Self.mapping("7f0000040000-7f0000050000 rw-p 00000000 00:00 0", anonymous: 0),
            Self.mapping("7f0000060000-7f0000070000 r-xp 00000000 00:00 0 [vdso]", anonymous: 0),
            Self.mapping("7f0000080000-7f0000090000 r-xp 00000000 fe:00 12 /usr/lib/lib with a space.so", anonymous: 0),
        ].joined()
        #expect(
            ProgramPages.unchanged(in: map) == [
                0x400000..<0x408000, 0x408000..<0x500000, 0x7f_0000_080000..<0x7f_0000_090000,
            ]
        )
    }

    @Test func `a text that is none gives nothing back`() {
        #expect(ProgramPages.unchanged(in: "") == [])
        #expect(ProgramPages.unchanged(in: "x-y r-xp 0 0 0 /a\nAnonymous: 0 kB\n") == [])
        #expect(ProgramPages.unchanged(in: "20-10 r-xp 0 0 0 /a\nAnonymous: 0 kB\n") == [])
    }
}
