package io.pq32.benchmarks;

/**
 * How every index is built.
 *
 * @param maxConn neighbors per graph node, of all formats
 * @param beamWidth candidates held while a node is inserted, of all formats
 * @param bytesPerVector code bytes of pq32
 * @param graphThreshold vectors from which a segment of pq32 gets a graph
 * @param segments 1 merges to one segment; more flushes so many of equal size and merges nothing
 * @param ramBufferMb IndexWriter's buffer while it writes what will be merged to one segment
 */
record BuildSettings(
    int maxConn,
    int beamWidth,
    int bytesPerVector,
    int graphThreshold,
    int segments,
    int ramBufferMb) {}
