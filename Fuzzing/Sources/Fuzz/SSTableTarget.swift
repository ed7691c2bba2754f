import NIOCore
import SSTable

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// SSTables whose components the input holds: a byte for the version, then for each component a byte for which it is, two
/// for its length, and its bytes.
enum SSTableTarget {
    private static let names = [
        "Data.db", "Statistics.db", "CompressionInfo.db", "Index.db", "Summary.db", "Partitions.db", "Rows.db", "CRC.db",
        "TOC.txt",
    ]

    /// A folder of this process alone.
    private static let folder: String = {
        let folder = "/tmp/cluster-sync-fuzz-\(getpid())"
        mkdir(folder, 0o700)
        return folder
    }()

    /// So small that a lie in a length shows as an allocation.
    private static let limits: SSTableLimits = {
        var limits = SSTableLimits()
        limits.chunkBytesMax = 1 << 20
        limits.rowBytesMax = 1 << 20
        limits.smallFileBytesMax = 1 << 20
        limits.summaryBytesMax = 1 << 20
        limits.rowIndexBlocksMax = 1 << 16
        return limits
    }()

    static func run(_ input: [UInt8]) {
        var rest = ByteBuffer(bytes: input)
        let versions = FormatVersion.supported
        guard let number = rest.readInteger(as: UInt8.self) else { return }
        let version = versions[Int(number) % versions.count]
        let prefix = "\(self.folder)/\(version.letters)-1-\(version.family.rawValue)-"
        var written: Set<String> = []
        while let which = rest.readInteger(as: UInt8.self), let length = rest.readInteger(as: UInt16.self) {
            let path = prefix + self.names[Int(which) % self.names.count]
            let bytes = rest.readSlice(length: min(Int(length), rest.readableBytes)) ?? ByteBuffer()
            let file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
            bytes.withUnsafeReadableBytes { _ = write(file, $0.baseAddress, $0.count) }
            close(file)
            written.insert(path)
        }
        defer { for path in written { unlink(path) } }
        guard let table = try? SSTable(dataFile: prefix + self.names[0], limits: self.limits) else { return }
        self.read(table)
    }

    /// Every way of reading: none crashes, and all that is told to be there is there.
    private static func read(_ table: SSTable) {
        _ = try? SSTableDump.write(table.scanner(), .init(now: 0)) { _ in }
        let whole = table.scanner()
        while (try? whole.nextPartition()) ?? false {
            if let partition = whole.partition, let blocks = try? table.blocks(of: partition), let block = blocks.last {
                let other = table.scanner()
                other.move(to: block)
                while (try? other.next()) ?? nil != nil {}
            }
            self.check(whole.staticRow)
            while let next = (try? whole.next()) ?? nil { if next == .row { self.check(whole.row) } }
        }
        if let scanner = try? table.scanner(tokens: 0 ... .max) { while (try? scanner.nextPartition()) ?? false {} }
        guard let merge = try? TableMerge([table, table]) else { return }
        while (try? merge.nextPartition()) ?? false {
            self.check(merge.staticRow)
            while let next = (try? merge.next()) ?? nil { if next == .row { self.check(merge.row) } }
        }
    }

    private static func check(_ row: TableRow) {
        for value in row.clustering { require(value.isNull || row.slice(value) != nil, "a clustering value is there") }
        for cell in row.cells {
            require(row.slice(cell.value) != nil, "a value is there")
            require(cell.path.isNull || row.slice(cell.path) != nil, "a path is there")
        }
    }
}
