/// What a life has come to.
struct Account: Sendable, CustomStringConvertible {
    typealias Footprint = SidecarProcess.Footprint

    /// Between ``early`` and ``late`` lies half of a life. Of ten minutes that is 125 000 requests and 20 000 connections: a leak of
    /// 300 bytes for each would be 36 or 6 MiB. What an allocator and caches that still fill need moves by 1 MiB.
    static let growthKilobytesMax = 4_096
    /// A crowd of 40 that is there at the wrong moment is no leak; a descriptor lost per connection or event would be hundreds. The
    /// end of a life knows no such margin: with the clients gone all of theirs are closed.
    static let growthDescriptorsMax = 48

    var requests = 0
    var visitors = 0
    var modeChanges = 0
    var events: [String: Int] = [:]
    var slowest: [String: Duration] = [:]
    var errors: [String] = []
    /// What the sidecar held, from its first client on, at even intervals.
    var footprints: [Footprint] = []
    var peakKilobytes = 0

    /// After a third of the life, when every pool and cache has had its fill.
    var early: Footprint? { Self.median(self.footprints.dropFirst(self.footprints.count / 3).prefix(self.window)) }
    /// At its end.
    var late: Footprint? { Self.median(self.footprints.suffix(self.window)) }

    private var window: Int { (self.footprints.count + 5) / 6 }

    /// One moment is noise: a crowd may be there. Half of the moments of a while are not.
    private static func median(_ moments: ArraySlice<Footprint>) -> Footprint? {
        guard !moments.isEmpty else { return nil }
        return Footprint(
            descriptors: moments.map(\.descriptors).sorted()[moments.count / 2],
            kilobytes: moments.map(\.kilobytes).sorted()[moments.count / 2]
        )
    }

    var description: String {
        let sorted = self.events.sorted { $0.key < $1.key }.map { event in
            "\(event.value) × \(event.key) (slowest \(self.slowest[event.key] ?? .zero))"
        }
        return """
            life: \(self.requests) requests, \(self.visitors) visitors, \(self.modeChanges) changes of the mode
            events: \(sorted.joined(separator: ", "))
            errors: \(self.errors)
            KiB, files: \(self.footprints.map { "\($0.kilobytes), \($0.descriptors)" }.joined(separator: "; "))
            peak: \(self.peakKilobytes) KiB; early: \(self.early as Any); late: \(self.late as Any)
            """
    }
}
