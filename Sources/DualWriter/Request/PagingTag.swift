import DualWriteCore

/// The byte in front of a paging state that says which cluster made it, so that the next page is asked for there whatever
/// the mode is by then (DESIGN §7).
enum PagingTag {
    static func byte(for cluster: Cluster) -> UInt8 { cluster == .source ? 0x53 : 0x54 }

    static func cluster(for byte: UInt8) -> Cluster? {
        switch byte {
        case 0x53: .source
        case 0x54: .target
        default: nil
        }
    }
}
