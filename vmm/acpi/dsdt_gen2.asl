/* SPDX-License-Identifier: MIT */
/* Generation 2: the VMBus below a module device, whose windows are the machine's MMIO space. */
DefinitionBlock ("", "DSDT", 2, "HVKIT ", "HVKITVMM", 1)
{
	Name (\_S5, Package () { 5, 5, 0, 0 })

	Scope (\_SB)
	{
		Device (VMOD)
		{
			Name (_HID, "ACPI0004")
			Name (_UID, 0)
			Name (_CRS, ResourceTemplate ()
			{
				DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed, NonCacheable,
					ReadWrite, 0, 0xF8000000, 0xFEBFFFFF, 0, 0x06C00000)
				QWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed, NonCacheable,
					ReadWrite, 0, 0xFE0000000, 0xFFFFFFFFF, 0, 0x20000000)
			})

			Device (VMBS)
			{
				Name (_HID, "VMBUS")
				Name (_UID, 0)
				Name (_DDN, "VMBUS")
				Method (_STA, 0, NotSerialized)
				{
					Return (0x0F)
				}
				Name (_CRS, ResourceTemplate ()
				{
					IRQ (Edge, ActiveHigh, Exclusive) { 5 }
				})
			}

			Device (UAR1)
			{
				Name (_HID, EisaId ("PNP0501"))
				Name (_UID, 1)
				Name (_DDN, "COM1")
				Name (_CRS, ResourceTemplate ()
				{
					IO (Decode16, 0x03F8, 0x03F8, 1, 8)
					IRQ (Edge, ActiveHigh, Exclusive) { 4 }
				})
			}
		}
	}
}
