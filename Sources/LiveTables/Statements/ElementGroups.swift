package import NIOCore

/// The elements of a set or map, sorted by timestamp and life: those that share both are added as one collection.
package struct ElementGroups {
    private struct Group {
        let timestamp: Int64
        let timeToLive: Int32
        var count: Int32 = 0
        var bytes = ByteBuffer()
    }

    private var groups: [Group] = []
    private let elementsMax: Int

    package init(elementsMax: Int) { self.elementsMax = elementsMax }

    /// Adds an element: of a set the element, of a map the key and its value.
    package mutating func add(_ parts: [ByteBuffer], timestamp: Int64, timeToLive: Int32) {
        var index = self.groups.firstIndex {
            $0.timestamp == timestamp && $0.timeToLive == timeToLive && $0.count < self.elementsMax
        }
        if index == nil {
            self.groups.append(Group(timestamp: timestamp, timeToLive: timeToLive))
            index = self.groups.count - 1
        }
        guard let index else { return }
        self.groups[index].count += 1
        for part in parts { self.groups[index].bytes.writeElement(part) }
    }

    /// Adds each group to the statement of its timestamp and life.
    package func write(_ name: String, into groups: inout RowGroups) {
        for group in self.groups {
            var value = ByteBuffer()
            value.writeInteger(group.count)
            value.writeImmutableBuffer(group.bytes)
            groups.write(.added(name), [value], timestamp: group.timestamp, timeToLive: group.timeToLive)
        }
    }
}

extension ByteBuffer {
    /// An element of a collection with its length before it.
    package mutating func writeElement(_ bytes: ByteBuffer) {
        self.writeInteger(Int32(bytes.readableBytes))
        self.writeImmutableBuffer(bytes)
    }
}
