// Unity.MLAgents.Sensors: what an agent observes.
using System;
using System.Collections.Generic;
using System.Linq;
using UnityEngine;

namespace Unity.MLAgents.Sensors
{
    public enum ObservationType { Default = 0, GoalSignal = 1 }
    public enum SensorCompressionType { None, PNG }
    public enum RayPerceptionCastType { Cast2D, Cast3D }

    public readonly struct ObservationSpec
    {
        internal ObservationSpec(int length, ObservationType type)
        {
            Length = length;
            ObservationType = type;
        }
        internal int Length { get; }
        public ObservationType ObservationType { get; }
        public int Rank => 1;
        public static ObservationSpec Vector(int length, ObservationType obsType = ObservationType.Default) => new ObservationSpec(length, obsType);
    }

    public struct CompressionSpec
    {
        public static CompressionSpec Default() => new CompressionSpec();
    }

    public class ObservationWriter
    {
        internal List<float> Values { get; } = new List<float>();
        public float this[int index] { set { while (Values.Count <= index) Values.Add(0f); Values[index] = value; } }
        public void AddList(IList<float> data, int writeOffset = 0) { for (var i = 0; i < data.Count; i++) this[writeOffset + i] = data[i]; }
        public void Add(Vector3 vec, int writeOffset = 0) { AddList(new[] { vec.x, vec.y, vec.z }, writeOffset); }
    }

    public interface ISensor
    {
        ObservationSpec GetObservationSpec();
        int Write(ObservationWriter writer);
        byte[] GetCompressedObservation();
        void Update();
        void Reset();
        CompressionSpec GetCompressionSpec();
        string GetName();
    }

    public abstract class SensorComponent : MonoBehaviour
    {
        public abstract ISensor[] CreateSensors();
    }

    public class VectorSensor : ISensor
    {
        readonly int m_Size;
        readonly string m_Name;
        readonly ObservationSpec m_Spec;

        public VectorSensor(int observationSize, string name = null, ObservationType observationType = ObservationType.Default)
        {
            m_Size = observationSize;
            m_Name = name ?? "VectorSensor_size" + observationSize;
            m_Spec = ObservationSpec.Vector(observationSize, observationType);
        }

        internal List<float> Values { get; } = new List<float>();

        void Add(float value)
        {
            if (float.IsNaN(value) || float.IsInfinity(value)) throw new ArgumentException("NaN or infinity added to the observations.");
            Values.Add(value);
        }

        public void AddObservation(float observation) { Add(observation); }
        public void AddObservation(int observation) { Add(observation); }
        public void AddObservation(bool observation) { Add(observation ? 1f : 0f); }
        public void AddObservation(Vector2 observation) { Add(observation.x); Add(observation.y); }
        public void AddObservation(Vector3 observation) { Add(observation.x); Add(observation.y); Add(observation.z); }
        public void AddObservation(Quaternion observation) { Add(observation.x); Add(observation.y); Add(observation.z); Add(observation.w); }
        public void AddObservation(IList<float> observation) { foreach (var one in observation) Add(one); }
        public void AddOneHotObservation(int observation, int range) { for (var i = 0; i < range; i++) Add(i == observation ? 1f : 0f); }

        public ObservationSpec GetObservationSpec() => m_Spec;
        public string GetName() => m_Name;
        public byte[] GetCompressedObservation() => null;
        public CompressionSpec GetCompressionSpec() => CompressionSpec.Default();
        public void Update() { Values.Clear(); }
        public void Reset() { Values.Clear(); }

        /// A wrong number only warns: it is cut, or filled with zeros.
        public int Write(ObservationWriter writer)
        {
            if (Values.Count != m_Size) Debug.LogWarning(Values.Count + " observations made, but the vector observation size is " + m_Size + ".");
            writer.AddList(Enumerable.Range(0, m_Size).Select(i => i < Values.Count ? Values[i] : 0f).ToArray());
            return m_Size;
        }
    }

    public class VectorSensorComponent : SensorComponent
    {
        VectorSensor m_Sensor;
        public string SensorName { get; set; } = "VectorSensor";
        public int ObservationSize { get; set; }
        public int ObservationStacks { get; set; } = 1;
        public ObservationType ObservationType { get; set; }
        public VectorSensor GetSensor() => m_Sensor;
        public override ISensor[] CreateSensors() => new ISensor[] { m_Sensor = new VectorSensor(ObservationSize, SensorName, ObservationType) };
    }

    public class BufferSensorComponent : SensorComponent
    {
        public string SensorName { get; set; } = "BufferSensor";
        public int ObservableSize { get; set; }
        public int MaxNumObservables { get; set; }
        public void AppendObservation(float[] obs) { }
        public override ISensor[] CreateSensors() => new ISensor[0];
    }

    public class CameraSensorComponent : SensorComponent
    {
        public Camera Camera { get; set; }
        public string SensorName { get; set; } = "CameraSensor";
        public int Width { get; set; } = 84;
        public int Height { get; set; } = 84;
        public bool Grayscale { get; set; }
        public int ObservationStacks { get; set; } = 1;
        public SensorCompressionType CompressionType { get; set; }
        public override ISensor[] CreateSensors() => new ISensor[0];
    }

    public class RenderTextureSensorComponent : SensorComponent
    {
        public RenderTexture RenderTexture { get; set; }
        public string SensorName { get; set; } = "RenderTextureSensor";
        public bool Grayscale { get; set; }
        public override ISensor[] CreateSensors() => new ISensor[0];
    }

    public class GridSensorComponent : SensorComponent
    {
        public string SensorName { get; set; } = "GridSensor";
        public Vector3 CellScale { get; set; } = Vector3.one;
        public Vector3Int GridSize { get; set; }
        public string[] DetectableTags { get; set; }
        public override ISensor[] CreateSensors() => new ISensor[0];
    }

    public abstract class RayPerceptionSensorComponentBase : SensorComponent
    {
        [SerializeField] string m_SensorName = "RayPerceptionSensor";
        [SerializeField] List<string> m_DetectableTags;
        [SerializeField] int m_RaysPerDirection = 3;
        [SerializeField] float m_MaxRayDegrees = 70f;
        [SerializeField] float m_SphereCastRadius = 0.5f;
        [SerializeField] float m_RayLength = 20f;
        [SerializeField] int m_RayLayerMask = Physics.DefaultRaycastLayers;
        [SerializeField] int m_ObservationStacks = 1;

        public string SensorName { get { return m_SensorName; } set { m_SensorName = value; } }
        public List<string> DetectableTags { get { return m_DetectableTags; } set { m_DetectableTags = value; } }
        public int RaysPerDirection { get { return m_RaysPerDirection; } set { m_RaysPerDirection = value; } }
        public float MaxRayDegrees { get { return m_MaxRayDegrees; } set { m_MaxRayDegrees = value; } }
        public float SphereCastRadius { get { return m_SphereCastRadius; } set { m_SphereCastRadius = value; } }
        public float RayLength { get { return m_RayLength; } set { m_RayLength = value; } }
        public LayerMask RayLayerMask { get { return m_RayLayerMask; } set { m_RayLayerMask = value; } }
        public int ObservationStacks { get { return m_ObservationStacks; } set { m_ObservationStacks = value; } }
#if MLAGENTS_3_0_OR_NEWER
        [SerializeField] bool m_AlternatingRayOrder = true;
        [SerializeField] bool m_UseBatchedRaycasts;
        public bool AlternatingRayOrder { get { return m_AlternatingRayOrder; } set { m_AlternatingRayOrder = value; } }
        public bool UseBatchedRaycasts { get { return m_UseBatchedRaycasts; } set { m_UseBatchedRaycasts = value; } }
#endif
        public override ISensor[] CreateSensors() => new ISensor[] { new RaySensor(this) };
    }

    public class RayPerceptionSensorComponent3D : RayPerceptionSensorComponentBase
    {
        [SerializeField] float m_StartVerticalOffset;
        [SerializeField] float m_EndVerticalOffset;
        public float StartVerticalOffset { get { return m_StartVerticalOffset; } set { m_StartVerticalOffset = value; } }
        public float EndVerticalOffset { get { return m_EndVerticalOffset; } set { m_EndVerticalOffset = value; } }
    }

    public class RayPerceptionSensorComponent2D : RayPerceptionSensorComponentBase { }

    /// One-hot tag, nothing hit, hit fraction for each ray; the angles alternate about straight ahead.
    internal sealed class RaySensor : ISensor
    {
        readonly RayPerceptionSensorComponentBase m_Rays;
        internal RaySensor(RayPerceptionSensorComponentBase rays) { m_Rays = rays; }

        int Tags => m_Rays.DetectableTags == null ? 0 : m_Rays.DetectableTags.Count;
        public ObservationSpec GetObservationSpec() => ObservationSpec.Vector((Tags + 2) * (2 * m_Rays.RaysPerDirection + 1));
        public string GetName() => m_Rays.SensorName;
        public byte[] GetCompressedObservation() => null;
        public CompressionSpec GetCompressionSpec() => CompressionSpec.Default();
        public void Update() { }
        public void Reset() { }

        IEnumerable<float> Angles()
        {
            yield return 90f;
            var delta = m_Rays.MaxRayDegrees / m_Rays.RaysPerDirection;
            for (var i = 1; i <= m_Rays.RaysPerDirection; i++)
            {
                yield return 90f - i * delta;
                yield return 90f + i * delta;
            }
        }

        public int Write(ObservationWriter writer)
        {
            var offset = 0;
            foreach (var angle in Angles())
            {
                Cast(angle, writer, offset);
                offset += Tags + 2;
            }
            return offset;
        }

        void Cast(float angle, ObservationWriter writer, int offset)
        {
            var radians = angle * Mathf.Deg2Rad;
            var way = m_Rays.transform.TransformDirection(new Vector3(Mathf.Cos(radians), 0f, Mathf.Sin(radians)));
            RaycastHit hit;
            var start = m_Rays.transform.position;
            var met = m_Rays.SphereCastRadius > 0f
                ? Physics.SphereCast(start, m_Rays.SphereCastRadius, way, out hit, m_Rays.RayLength, m_Rays.RayLayerMask)
                : Physics.Raycast(start, way, out hit, m_Rays.RayLength, m_Rays.RayLayerMask);
            for (var i = 0; i < Tags; i++) writer[offset + i] = met && hit.collider.CompareTag(m_Rays.DetectableTags[i]) ? 1f : 0f;
            writer[offset + Tags] = met ? 0f : 1f;
            writer[offset + Tags + 1] = met ? hit.distance / m_Rays.RayLength : 1f;
        }
    }

    [AttributeUsage(AttributeTargets.Field | AttributeTargets.Property)]
    public class ObservableAttribute : Attribute
    {
        public ObservableAttribute(string name = null, int numStackedObservations = 1) { }
    }
}
