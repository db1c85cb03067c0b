/**
 * Elasticsearch plugin {@code pq32}: compresses the vectors of plain {@code dense_vector} fields.
 *
 * <h2>Index settings</h2>
 *
 * All are given when the index is created and never change.
 *
 * <table>
 *   <caption>Settings of an index</caption>
 *   <tr><th>Setting</th><th>Meaning</th></tr>
 *   <tr><td>{@code index.pq32.enabled}</td><td>the switch; {@code false} by default</td></tr>
 *   <tr><td>{@code index.pq32.fields}</td><td>names of the fields to compress, full paths; without
 *     it, every field that can be</td></tr>
 *   <tr><td>{@code index.pq32.bytes_per_vector}</td><td rowspan="3">as the components of {@link
 *     io.pq32.lucene.Pq32HnswConfig}, with its defaults and bounds</td></tr>
 *   <tr><td>{@code index.pq32.min_quantized_count}</td></tr>
 *   <tr><td>{@code index.pq32.graph_threshold}</td></tr>
 * </table>
 *
 * <p>The graph's {@code m} and {@code ef_construction} are those of the field's {@code
 * index_options}; {@code flat_index_threshold} has no effect, {@code index.pq32.graph_threshold}
 * takes its place.
 *
 * <h2>Fields</h2>
 *
 * A field can be compressed if its {@code element_type} is {@code float} and its {@code
 * index_options} are of type {@code hnsw}, {@code int8_hnsw}, {@code int4_hnsw} or {@code
 * bbq_hnsw}, which the server chooses by itself when there are none. All four come to the same
 * here: scores are exact, so {@code rescore_vector} only costs time. Every other field keeps the
 * server's format, and a mapping is refused if it makes such a field of a name in {@code
 * index.pq32.fields}; a name that is not mapped yet may be mapped later. For an index of another
 * mode than {@code standard} that is checked when its mapping changes, not when it is created.
 *
 * <h2>Indices</h2>
 *
 * Followers of cross-cluster replication and searchable snapshots need an engine of another part of
 * Elasticsearch: a follower's new segments get the server's format, and a searchable snapshot reads
 * those of the index it was taken from. Every node that holds a shard needs the plugin.
 */
package io.pq32.elasticsearch;
