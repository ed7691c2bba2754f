import CQLProtocol
import NIOCore

/// A recorded conversation: requests with their answers, per connection, in the order of the requests.
struct Recording {
    struct Exchange {
        let request: RequestFrame
        let response: ResponseFrame
    }

    let name: String
    var connections: [[Exchange]] = []

    init(_ name: String, in folder: String) throws {
        self.name = name
        var files: Set<String> = []
        for line in try Fixtures.text("\(folder)/\(name)/index.tsv").split(separator: "\n").dropFirst() {
            if let file = line.split(separator: "\t").first { files.insert(String(file.prefix(2))) }
        }
        for file in files.sorted() {
            let asked = try Self.frames("\(folder)/\(name)/\(file)-c2s.bin")
            let compression = try Self.compression(asked)
            var answers: [Int16: [ResponseFrame]] = [:]
            for raw in try Self.frames("\(folder)/\(name)/\(file)-s2c.bin") where raw.header.stream >= 0 {
                let answer = try ResponseFrame(decoding: try Self.plain(raw, compression))
                answers[answer.stream, default: []].append(answer)
            }
            var exchanges: [Exchange] = []
            for raw in asked {
                guard let answer = answers[raw.header.stream]?.first else { continue }
                answers[raw.header.stream]?.removeFirst()
                let request = try RequestFrame(decoding: try Self.plain(raw, compression))
                exchanges.append(Exchange(request: request, response: answer))
            }
            self.connections.append(exchanges)
        }
    }

    /// What the connection's STARTUP asks for.
    private static func compression(_ frames: [RawFrame]) throws -> BodyCompression? {
        for raw in frames where raw.header.opcode == .startup {
            guard case .startup(let options) = try RequestFrame(decoding: raw).request else { continue }
            return options["COMPRESSION"].flatMap { BodyCompression(name: $0) }
        }
        return nil
    }

    private static func plain(_ raw: RawFrame, _ compression: BodyCompression?) throws -> RawFrame {
        try compression.map { try raw.decompressed(with: $0) } ?? raw
    }

    private static func frames(_ path: String) throws -> [RawFrame] {
        var reader = FrameReader()
        reader.append(ByteBuffer(bytes: try Fixtures.bytes(path)))
        var frames: [RawFrame] = []
        while let frame = try reader.nextFrame() { frames.append(frame) }
        return frames
    }
}
