import CQLSyntax

/// The options of a table with Cassandra 4.1's defaults where it names none.
struct TableSettings {
    private let options: [String: PropertyValue]

    init(_ options: [String: PropertyValue]) { self.options = options }

    /// Options that are texts, with their defaults.
    static let texts: [String: String] = [
        "additional_write_policy": "99p", "comment": "", "read_repair": "BLOCKING", "speculative_retry": "99p",
    ]
    /// Options that are integers, with their defaults.
    static let integers: [String: Int32] = [
        "default_time_to_live": 0, "gc_grace_seconds": 864_000, "max_index_interval": 2048,
        "memtable_flush_period_in_ms": 0, "min_index_interval": 128,
    ]
    /// Options that are fractions, with their defaults.
    static let fractions: [String: Double] = ["bloom_filter_fp_chance": 0.01, "crc_check_chance": 1.0]
    /// Options that are maps.
    static let maps = ["caching", "compaction", "compression"]

    func text(_ name: String) -> String {
        if case .text(let text) = self.options[name] { return text }
        return Self.texts[name] ?? ""
    }

    func integer(_ name: String) -> Int32 {
        if case .text(let text) = self.options[name], let number = Int32(text) { return number }
        return Self.integers[name] ?? 0
    }

    func fraction(_ name: String) -> Double {
        if case .text(let text) = self.options[name], let number = Double(text) { return number }
        return Self.fractions[name] ?? 0
    }

    /// The entries in order of their keys.
    func map(_ name: String) -> [(key: String, value: String)] {
        var entries: [String: String] = [:]
        if case .map(let given) = self.options[name] { for entry in given { entries[entry.key] = entry.value } }
        switch name {
        case "caching": entries.merge(["keys": "ALL", "rows_per_partition": "NONE"]) { given, _ in given }
        case "compaction":
            let short = entries["class"] ?? "SizeTieredCompactionStrategy"
            entries["class"] = Self.qualified(short, "org.apache.cassandra.db.compaction.")
            if short.hasSuffix("SizeTieredCompactionStrategy") {
                entries.merge(["max_threshold": "32", "min_threshold": "4"]) { given, _ in given }
            }
        case "compression":
            if entries["enabled"]?.lowercased() == "false" { return [("enabled", "false")] }
            let short = entries["class"] ?? entries["sstable_compression"] ?? "LZ4Compressor"
            entries["sstable_compression"] = nil
            entries["class"] = Self.qualified(short, "org.apache.cassandra.io.compress.")
            entries.merge(["chunk_length_in_kb": "16"]) { given, _ in given }
        default: break
        }
        return entries.sorted { $0.key < $1.key }
    }

    private static func qualified(_ name: String, _ package: String) -> String {
        name.contains(".") ? name : package + name
    }
}
