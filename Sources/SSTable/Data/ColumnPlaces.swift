/// Where the columns of one SSTable stand among those of all SSTables that are read as one table.
struct ColumnPlaces {
    let statics: [Int32]
    let regulars: [Int32]
}
