/// What hands out partitions in their order, and in each its rows and markers: one SSTable, or several as one table.
public protocol PartitionSource: AnyObject {
    /// The columns and types of what comes.
    var columns: TableColumns { get }
    /// The partition that was begun last.
    var partition: Partition? { get }
    /// Its static row; empty where it has none.
    var staticRow: TableRow { get }
    /// The row that was read last; valid until the next read.
    var row: TableRow { get }
    /// The marker that was read last; valid until the next read.
    var marker: RangeMarker { get }
    /// The place in the plain data up to which everything was read; nil where there are several files.
    var place: Int64? { get }

    /// Begins the next partition, wherever the last one was left; false at the end. Its static row is read with it.
    func nextPartition() throws(SSTableError) -> Bool
    /// Reads the next row or marker of the partition; nil at its end.
    func next() throws(SSTableError) -> SSTableScanner.Unfiltered?
}

/// The columns of a table as its SSTables know them.
public struct TableColumns: Sendable, Hashable {
    /// The types of the parts of the partition key.
    public let partitionKey: [ColumnType]
    /// The types of the clustering columns.
    public let clustering: [ColumnType]
    /// Static columns in the order of cells: simple ones by name, then those of many cells by name.
    public let statics: [SerializationHeader.Column]
    /// The other columns in that order.
    public let regulars: [SerializationHeader.Column]

    /// The column of a cell of a row.
    public func column(_ place: Int32, isStatic: Bool) -> SerializationHeader.Column {
        isStatic ? self.statics[Int(place)] : self.regulars[Int(place)]
    }
}

extension SerializationHeader {
    /// The columns as the SSTable alone knows them.
    public var columns: TableColumns {
        TableColumns(
            partitionKey: self.partitionKey,
            clustering: self.clustering,
            statics: self.statics,
            regulars: self.regulars
        )
    }
}
