/// What an upstream connection hands back with an answer: which request it belongs to and what was asked.
///
/// 64 bits, opaque to the connection: a slot of the loop's ``RequestTable``, the generation of that slot (so that an
/// answer to a request that is long over finds nothing), the purpose, and the leg.
struct RequestTicket: Equatable {
    /// Why a frame was sent.
    enum Purpose: UInt8 {
        /// The client's own request, or its copy on the shadow.
        case request = 0
        /// A PREPARE that a leg needed before the request itself could go there.
        case prepare = 1
    }

    let rawValue: UInt64

    init(rawValue: UInt64) { self.rawValue = rawValue }

    init(slot: UInt32, generation: UInt32, purpose: Purpose, leg: UInt8) {
        // Four bits stay free for the reserved tickets of the upstream side.
        self.rawValue =
            UInt64(slot) | UInt64(generation & 0x00ff_ffff) << 32 | UInt64(purpose.rawValue & 0x3) << 56
            | UInt64(leg & 0x1) << 58
    }

    var slot: UInt32 { UInt32(truncatingIfNeeded: self.rawValue) }
    var generation: UInt32 { UInt32(truncatingIfNeeded: self.rawValue >> 32) & 0x00ff_ffff }
    var purpose: Purpose { Purpose(rawValue: UInt8(truncatingIfNeeded: self.rawValue >> 56) & 0x3) ?? .request }
    var leg: UInt8 { UInt8(truncatingIfNeeded: self.rawValue >> 58) & 0x1 }
}
