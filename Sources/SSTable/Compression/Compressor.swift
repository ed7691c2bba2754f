import CDeflate
import CLZ4
import CSnappy
import CZstd

/// How the chunks of `Data.db` are packed, by the class that `CompressionInfo.db` names.
public enum Compressor: String, Sendable, Hashable, CaseIterable {
    /// Four bytes of plain length, little-endian, then one LZ4 block.
    case lz4 = "LZ4Compressor"
    /// One Snappy block.
    case snappy = "SnappyCompressor"
    /// A zlib stream.
    case deflate = "DeflateCompressor"
    /// A Zstandard frame.
    case zstd = "ZstdCompressor"
    /// Bytes as they are.
    case none = "NoopCompressor"

    /// The compressor of a class, with or without its package.
    init?(className: String) {
        self.init(rawValue: className.split(separator: ".").last.map(String.init) ?? className)
    }
}

/// Unpacks chunks of one compressor. Not for two threads at once.
struct Decompressor: ~Copyable {
    private let compressor: Compressor
    private let context: OpaquePointer?

    init(_ compressor: Compressor) {
        self.compressor = compressor
        switch compressor {
        case .deflate: self.context = libdeflate_alloc_decompressor()
        case .zstd: self.context = ZSTD_createDCtx()
        case .lz4, .snappy, .none: self.context = nil
        }
    }

    deinit {
        guard let context else { return }
        if self.compressor == .deflate { libdeflate_free_decompressor(context) } else { ZSTD_freeDCtx(context) }
    }

    /// Fills all of `target`. False where the bytes are damaged or give another length.
    func unpack(_ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer) -> Bool {
        switch self.compressor {
        case .lz4:
            let prefix = MemoryLayout<UInt32>.size
            guard source.count >= prefix,
                UInt32(littleEndian: source.loadUnaligned(as: UInt32.self)) == UInt32(truncatingIfNeeded: target.count)
            else { return false }
            let block = UnsafeRawBufferPointer(rebasing: source[prefix...])
            guard let from = block.bindMemory(to: CChar.self).baseAddress else { return target.isEmpty }
            let to = target.bindMemory(to: CChar.self).baseAddress
            return LZ4_decompress_safe(from, to, Int32(block.count), Int32(target.count)) == Int32(target.count)
        case .snappy:
            let from = source.bindMemory(to: CChar.self).baseAddress
            var length = 0
            guard snappy_uncompressed_length(from, source.count, &length) == SNAPPY_OK, length == target.count else {
                return false
            }
            return snappy_uncompress(from, source.count, target.bindMemory(to: CChar.self).baseAddress, &length)
                == SNAPPY_OK && length == target.count
        case .deflate:
            guard let context else { return false }
            // Without a place for the length it takes no other than that of the target.
            return libdeflate_zlib_decompress(
                context,
                source.baseAddress,
                source.count,
                target.baseAddress,
                target.count,
                nil
            ) == LIBDEFLATE_SUCCESS
        case .zstd:
            let count = ZSTD_decompressDCtx(
                self.context,
                target.baseAddress,
                target.count,
                source.baseAddress,
                source.count
            )
            return ZSTD_isError(count) == 0 && count == target.count
        case .none:
            guard source.count == target.count else { return false }
            target.copyMemory(from: source)
            return true
        }
    }
}
