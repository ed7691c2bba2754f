/// Where a block of rows of a large partition begins. Servers write one for each 16 to 64 KiB.
public struct RowBlock: Hashable, Sendable {
    /// The place of its first row in the plain data.
    public let position: Int64
    /// The range deletion that goes on where the block begins.
    public let openDeletion: DeletionTime?
}
